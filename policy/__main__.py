"""The policy pack: every promise about the four environments, mandatory, on what is really sent to the engine.

Written independently of infra/, so that a mistake there is caught here. Run with `--policy-pack policy/pack`, or `policy`.
"""

from analyzer import serve

serve()
