"""IAM and KMS policy documents as plain data."""
