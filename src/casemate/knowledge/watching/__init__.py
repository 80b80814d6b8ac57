"""Sources: places outside that are looked at again and again, through connectors that are plug-ins."""
