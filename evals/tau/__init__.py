"""Businesses of a public benchmark, run on Mayak's own tools: official names and schemas live here and nowhere else."""
