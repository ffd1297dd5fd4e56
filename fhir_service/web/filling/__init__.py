"""The patient's page: any form of SDC, few questions at a time, rendered by the server."""
