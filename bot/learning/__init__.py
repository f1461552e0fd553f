"""What is learnt from what happened: cases, likeness between incidents, proposals for the library."""
