"""Layouts: how prompt and answer become the token sequence that a kind of model reads. NumPy only.

A model names its layout by the name of a class here.
"""

from harness.layouts.blanks import Blanks as Blanks
from harness.layouts.causal import Causal as Causal
from harness.layouts.sentences import Sentences as Sentences
from harness.layouts.translation import Translation as Translation
