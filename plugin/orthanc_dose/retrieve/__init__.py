"""Finding what carries dose on a PACS or modality, and retrieving only that."""
