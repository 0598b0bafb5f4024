"""What a stack costs: prices with their source, line items, and when a shared GPU beats a dedicated one."""
