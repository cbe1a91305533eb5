"""From the command line and the YAML files of choices to a config: Hydra, and what people mistype."""
