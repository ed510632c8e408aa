"""`python -m bench`: measures all blocks and prints them. How to read them is in README.md beside this file."""

from bench import accept, dashboard, send
from bench.measuring import compare, cpu_ticks, noise

before = cpu_ticks()
compare("Accepting a message: one POST through Django, one caller", "requests/s", accept.ways())
with send.simulator() as url:
    compare("Sending: from the queue to the stored result", "messages/s", send.ways(url))
dashboard.report()
print(noise(before))
