"""`python -m casemate_verify`."""

from casemate_verify.app import main

if __name__ == "__main__":
    raise SystemExit(main())
