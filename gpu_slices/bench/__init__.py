"""The sharing benchmark: what happens to a model server's latency and throughput when others share its GPU."""
