"""The special tokens with which every vocabulary begins."""

SPECIAL = ("[PAD]", "[BOS]", "[SEP]", "[EOS]")
PAD, BOS, SEP, EOS = range(len(SPECIAL))
