"""What identity needs from cryptographic libraries: hashes, ciphers, tokens."""
