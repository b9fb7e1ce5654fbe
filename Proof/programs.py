"""The programs that are proved."""

import os
import shutil
import sys

NAMES = ("disbatch", "disbatch-engine", "dbutil")


def copy(source: str, folder: str) -> str:
    """Copies them, so that a build meanwhile changes nothing. The result is where they are."""
    os.makedirs(folder)
    for name in NAMES:
        path = os.path.join(source, name)
        if not os.path.exists(path):
            sys.exit(f"{path} is missing: swift build, or say --programs FOLDER")
        shutil.copy2(path, os.path.join(folder, name))
    return folder
