"""Where and when: the running frame, the run, the folder, the machine and its clock."""
