namespace Skep.KernelTests;

/// <summary>
/// For tests that step into control groups with this whole process, or that say what a second is: they run one after the other, when no other runs.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
