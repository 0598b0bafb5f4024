"""Sample workloads: what runs, on which pool, for which tenant. Off unless configured."""
