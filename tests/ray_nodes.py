"""A cluster of Ray on this machine: a head without room for runs and two nodes of one core each. It says its address,
ends the node whose number it reads without a warning, and ends with its standard input.
"""

import sys

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    cluster = Cluster()
    cluster.add_node(num_cpus=0, include_dashboard=False)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        cluster.remove_node(nodes[int(line)], allow_graceful=False)
        print("ended", flush=True)
    cluster.shutdown()
