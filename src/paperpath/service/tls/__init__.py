"""TLS for the programs that serve: certificates, the choice among them, and a layer over a plain connection."""
