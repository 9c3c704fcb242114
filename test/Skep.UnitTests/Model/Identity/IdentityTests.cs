using System.Numerics;
using Skep.Model.Identity;

namespace Skep.UnitTests.Model.Identity;

public sealed class IdentityTests
{
    [Fact]
    public void New_ids_are_valid_and_differ()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => ObjectId.New()).ToList();

        Assert.All(ids, id => Assert.True(ObjectId.IsValid(id)));
        Assert.Equal(ids.Count, ids.Distinct().Count());

        // Every place takes many values: none of them is fixed.
        Assert.All(Enumerable.Range(0, ObjectId.Length), place => Assert.True(ids.Select(id => id[place]).Distinct().Count() > 10));
    }

    [Theory]
    [InlineData(0, 3, "000")]
    [InlineData(35, 2, "0z")]
    [InlineData(36, 2, "10")]
    [InlineData(46655, 3, "zzz")]
    public void Numbers_are_written_in_base_36(int number, int width, string text) => Assert.Equal(text, ObjectId.Base36(new BigInteger(number), width));

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdefghijklmn")]
    [InlineData("0123456789abcdefghijklmnO")]
    [InlineData("0123456789abcdefghijklm-n")]
    public void What_is_no_id_is_not_taken_for_one(string text) => Assert.False(ObjectId.IsValid(text));

    [Fact]
    public void A_tasks_container_has_the_same_id_everywhere()
    {
        // Nodes find what they began by this id: it must never change between versions.
        Assert.Equal("cae48c54d1347773bc068eebe27a85f05b898cbd21d47d79b1d1fcfbe77cec44", ContainerId.Of("task1"));
        Assert.Equal(64, ContainerId.Of("x").Length);
        Assert.Equal(ContainerId.Of("task1")[..12], ContainerId.Short(ContainerId.Of("task1")));
        Assert.Equal("abc", ContainerId.Short("abc"));
    }
}
