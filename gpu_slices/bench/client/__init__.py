"""Load client: drives N streaming model servers from one clock. Standard library only, relative imports only.

The folder runs from anywhere under any name: mount its files flat into one folder (a ConfigMap does) and call
`python -m FOLDER --plan plan.json` from the folder above. Python 3.11 or newer.
"""
