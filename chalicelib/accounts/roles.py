"""Roles of accounts. Source: auth-api 4."""

BROKERED = "brokered"
CLINIC = "clinic"
CLINICIAN = "clinician"
CUSTODIAL_ACCOUNT = "custodial_account"
MIGRATED_CLINIC = "migrated_clinic"
PATIENT = "patient"

ROLES = frozenset({BROKERED, CLINIC, CLINICIAN, CUSTODIAL_ACCOUNT, MIGRATED_CLINIC, PATIENT})
CLINIC_ROLES = frozenset({CLINIC, CLINICIAN})
