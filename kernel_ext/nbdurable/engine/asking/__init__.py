"""What people ask of a run, beside executing cells: restore, back, fork, rebuild."""
