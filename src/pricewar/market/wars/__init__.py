"""Records of earlier subsidy wars, one YAML file each: dated public facts with their sources."""
