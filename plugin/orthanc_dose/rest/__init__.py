"""The REST API: routes, parameters, answers, errors and OpenAPI."""
