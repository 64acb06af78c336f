"""The container's choices about orders and customers: Mayak's own database, or one of the company's systems."""
