"""Strandline: a diabetes data platform that speaks the Tidepool API and needs no server."""
