"""Files and text from others: read strictly, displayed safely."""
