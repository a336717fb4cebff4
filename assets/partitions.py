"""One partition for each source. The ledger's `sources` table says which there are."""

import dagster as dg

source_partitions = dg.DynamicPartitionsDefinition(name="source")
