"""TLS for the programs that serve: certificates, the choice among them, the layer over a connection."""
