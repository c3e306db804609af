"""Strandline: the table of contents."""

from chalicelib.api import data, data_sets, platform
from chalicelib.api.application import StrandlineApp

app = StrandlineApp(app_name="strandline")
app.api.binary_types = ["*/*"]
app.register_blueprint(platform.blueprint)
app.register_blueprint(data_sets.blueprint)
app.register_blueprint(data.blueprint)
