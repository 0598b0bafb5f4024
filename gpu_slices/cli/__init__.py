"""The command line: one grammar, `python -m gpu_slices COMMAND --stack NAME | --file PATH [--format …] [--out FILE]`."""
