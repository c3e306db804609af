"""`make rotate-keys STAGE=...`: sign ID tokens with a new key from now on, with your own credentials.

Earlier keys stay published, so nobody has to sign in again (docs/sign-in.md).
"""

import argparse

from chalicelib.config import Settings
from chalicelib.engine.aws.secrets_manager import SecretsManager
from chalicelib.sign_in.stores.signing_keys import rotate
from tools.project import run_tool
from tools.stages.aws_account import session_of_caller


def main() -> int:
    """Print the time from which all functions sign with the new key."""
    parser = argparse.ArgumentParser(prog="make rotate-keys", description="Sign ID tokens with a new key.")
    parser.add_argument("stage")
    stage = parser.parse_args().stage
    session, account = session_of_caller(stage)
    print(f"stage {stage} in {account}", flush=True)
    rotate(SecretsManager(session.region_name), Settings(stage=stage).oidc_keys_name)
    print("There is a new key; all functions sign with it within five minutes.")
    return 0


if __name__ == "__main__":
    run_tool(main)
