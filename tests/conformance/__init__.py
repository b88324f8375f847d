"""The OGC's executable test suites, run by TEAM Engine against a server of our own.

``python -m tests.conformance`` (``make conformance``) fetches the engine by its Maven
coordinates, takes the suites from checkouts of their repositories, starts a server with the
configuration of this folder, runs every suite and prints what passed and what did not. A failure
is accepted only where ``known.yaml`` gives its reason.
"""
