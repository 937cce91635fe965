"""The rules of the protocol, one hazard a file: to find a rule, search for its id; `monitor.core.rulebook` lists them."""
