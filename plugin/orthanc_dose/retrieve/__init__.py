"""Finding on a PACS or modality what carries dose, and fetching that alone."""
