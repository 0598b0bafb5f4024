"""The rehearsal: a stack on a real Kubernetes and a real Karpenter, under a burst of one-slice pods."""
