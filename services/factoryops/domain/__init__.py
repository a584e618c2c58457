"""What is true about a plant: pure Python and NumPy, no I/O."""
