"""What tests need, shipped for whoever builds an engine or a program of their own: suites and fakes."""
