"""What EC2 sells Capacity Blocks for ML of (EC2 user guide, Capacity Blocks: supported instance types and Regions).

Whether one can be had in a region and on a date is for EC2 to say: `aws ec2 describe-capacity-block-offerings`.
"""

from __future__ import annotations

from typing import Final

#: Families of the catalogue. Trainium has them too, and no GPU.
CAPACITY_BLOCK_FAMILIES: Final = frozenset({"p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300"})
#: Of one block.
MOST_INSTANCES: Final = 64
#: EC2 begins to end the block's instances this many minutes before the block ends.
MINUTES_BEFORE_THE_END: Final = 30
