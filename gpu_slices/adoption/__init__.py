"""An EKS cluster that is there already: what is known of it, and whether this stack can be added to it."""
