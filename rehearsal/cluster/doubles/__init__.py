"""What runs on the machines of a real cluster, played here: kubelets, feature discovery and the device plugin.

One thread per watch and one that acts. Everything that the doubles know about the platform they read from the API
server: the node's labels, the DaemonSet's pods, the ConfigMap that those pods mount.
"""
