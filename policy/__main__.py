"""The policy pack: every promise about the four environments, mandatory, on what is really sent to the engine.

Written independently of infra/, so that a mistake there is caught here. Run with `--policy-pack policy/pack`, or `policy`.
"""

import gc

gc.disable()  # it ends with the engine's run, and what it drops it drops without a circle

from analyzer import serve

serve()
