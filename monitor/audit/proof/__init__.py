"""The Merkle tree over the log, its signed checkpoints, and proofs that a stranger can check (docs/audit.md)."""
