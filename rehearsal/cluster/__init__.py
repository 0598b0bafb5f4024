"""A real Kubernetes control plane and a real Karpenter on this machine, without containers and without a cloud.

Real: etcd, kube-apiserver, kube-scheduler, kube-controller-manager, Karpenter's core, the device plugin's config parser.
Doubles: the machines and what would run on them (kubelets, node feature discovery, GPU feature discovery, the device
plugin) and the cloud side of Karpenter, which registers nodes instead of buying instances.

`python -m rehearsal.cluster build` provides the programs; `control_plane.ControlPlane.start()` runs them.
"""
