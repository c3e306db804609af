"""The package of a stage: the zip and the template that are deployed."""
