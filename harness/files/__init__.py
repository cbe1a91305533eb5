"""Files and text from outside: read strictly, shown safely."""
