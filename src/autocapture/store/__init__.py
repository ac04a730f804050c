"""The database: engine and transactions, bulk upserts, the ledger, leases, what the stages may know, migrations."""
