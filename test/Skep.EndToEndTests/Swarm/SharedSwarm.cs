namespace Skep.EndToEndTests.Swarm;

/// <summary>The tests of one swarm, one after the other; each leaves three machines on and ready, and none of its services.</summary>
[CollectionDefinition(Name)]
public sealed class SharedSwarm : ICollectionFixture<SwarmLab>
{
    public const string Name = "swarm";
}
