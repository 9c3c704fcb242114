using Skep.Network.Dns;

namespace Skep.UnitTests.Network.Dns;

public sealed unsafe class AnswerTrainsTests
{
    [Theory]
    [InlineData("a60", "a60")]
    [InlineData("a60 a60 a60", "a60+60+60")]
    [InlineData("a60 b60 a60 b60", "a60+60 b60+60")]
    [InlineData("a60 a30 a60", "a60+30 a60")]
    [InlineData("a30 a60 a60", "a30 a60+60")]
    [InlineData("a60 a30 b30 a30 b30", "a60+30 b30+30 a30")]
    [InlineData("a1472 a1472", "a1472+1472")]
    [InlineData("a1473 a1473", "a1473 a1473")]
    public void Answers_to_one_asker_travel_together_and_only_the_last_may_be_shorter(string answers, string trains) => Assert.Equal(trains, Couple(answers));

    [Fact]
    public void No_train_has_more_cars_or_bytes_than_the_kernel_takes()
    {
        var many = Couple(string.Join(' ', Enumerable.Repeat("a20", 100)));
        var large = Couple(string.Join(' ', Enumerable.Repeat("a1400", 60)));

        Assert.Equal([64, 36], many.Split(' ').Select(train => train.Split('+').Length));
        Assert.Equal([46, 14], large.Split(' ').Select(train => train.Split('+').Length));
    }

    [Fact]
    public void The_next_batch_knows_nothing_of_the_one_before()
    {
        using var trains = new AnswerTrains(4);

        Assert.Equal("a60+60", Couple("a60 a60", trains));
        Assert.Equal("b40 a60", Couple("b40 a60", trains));
    }

    private static string Couple(string answers, AnswerTrains? given = null)
    {
        var parts = answers.Split(' ');
        using var own = new AnswerTrains(parts.Length);
        var trains = given ?? own;
        var names = stackalloc DnsNative.SocketAddress[parts.Length];
        var vectors = stackalloc DnsNative.IoVector[parts.Length];
        var headers = stackalloc DnsNative.MessageHeader[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            names[i] = new DnsNative.SocketAddress { Family = 2, Port = parts[i][0], Address = 0x7f };
            vectors[i] = new DnsNative.IoVector { Base = names + i, Length = nuint.Parse(parts[i].AsSpan(1)) };
            headers[i] = new DnsNative.MessageHeader { Name = names + i, NameLength = 16, Vectors = vectors + i, VectorCount = 1 };
        }

        var count = trains.Couple(headers, parts.Length);
        return string.Join(' ', Enumerable.Range(0, count).Select(i => Text(trains[i])));
    }

    /// <summary>Whom it goes to and the cars' lengths. What the kernel is told to cut by has to be the first one's.</summary>
    private static string Text(DnsNative.MessageHeader* train)
    {
        var lengths = Enumerable.Range(0, (int)train->VectorCount).Select(i => (int)train->Vectors[i].Length).ToList();
        Assert.Equal(lengths.Count > 1 ? 24u : 0u, train->ControlLength);
        if (lengths.Count > 1)
        {
            // CMSG: length, level, type, value.
            Assert.Equal(((nuint)18, 17, 103, (ushort)lengths[0]), (*(nuint*)train->Control, ((int*)train->Control)[2], ((int*)train->Control)[3], ((ushort*)train->Control)[8]));
        }

        return (char)((DnsNative.SocketAddress*)train->Name)->Port + string.Join('+', lengths);
    }
}
