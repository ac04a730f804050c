"""How an account gets in: the registry of connectors, the vault of sealed credentials, the addresses that may be dialled."""
