"""The benchmark's retailer, run on Mayak's embedded shop. Official names, schemas and error texts stay in this folder.

official database ─► `reading` ─► a fresh shop ─► `world` answers the calls ─► `export` ─► official database
"""

from evals.tau.domain import Domain
from evals.tau.retail.domain import Retail

RETAIL: Domain = Retail()
