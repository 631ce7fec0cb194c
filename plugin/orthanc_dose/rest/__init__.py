"""The REST API: routes, parameters, answers, errors, OpenAPI."""
