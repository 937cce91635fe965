"""What `doctor` looks at: one part of the house a module, each with what is wrong and how it is mended."""
