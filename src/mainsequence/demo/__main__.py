"""``python -m mainsequence.demo``: the main job in the platform that the environment names."""

from mainsequence.demo.main import run

if __name__ == "__main__":
    run()
