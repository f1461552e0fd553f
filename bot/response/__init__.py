"""What to do about an incident: playbooks as data, the choice among them, and (later) their runs."""
