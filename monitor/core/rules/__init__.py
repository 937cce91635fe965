"""The rules of the protocol, one hazard a file; to find one, search for its id. `monitor.core.rulebook` lists them."""
